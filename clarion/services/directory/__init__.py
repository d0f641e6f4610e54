"""Cities, divisions, districts, legislators, committees and officials: who they are, and telling the others."""

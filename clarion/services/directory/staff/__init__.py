"""Staff: their accounts, how they sign in, and their pages."""

"""Positions, and what becomes of them: who is affected by a hearing, and is called, why and until when."""

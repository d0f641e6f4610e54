"""Notifications: threads, the ledger of mail, rendering, sending, unsubscribing."""

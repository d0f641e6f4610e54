"""The record of acts, to be read: at the command line, and on a page by those whom it concerns."""

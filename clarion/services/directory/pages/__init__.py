"""The directory's pages: searching it, its imports, and what people say is wrong with it."""

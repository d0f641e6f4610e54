"""The rules of an import: lines in, entities and rejections out. No I/O."""

"""The rules of mail: values in, values out."""

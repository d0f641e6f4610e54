"""The rules of registering: values in, values out."""

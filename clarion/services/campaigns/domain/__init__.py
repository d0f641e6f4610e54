"""The rules of campaigns: values in, values out."""

"""The services, which meet only through `clarion.schemas`, and the site and command line over them."""

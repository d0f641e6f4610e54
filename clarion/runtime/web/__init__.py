"""What every service's pages and API stand on: problem details, API keys, signed links, templates and headers."""

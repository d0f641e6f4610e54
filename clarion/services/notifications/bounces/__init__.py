"""What comes back: bounces and complaints, by mail and from providers, and what they do."""

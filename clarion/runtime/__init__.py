"""What every service stands on: settings, clock, database, messaging, web and the embedded stack."""

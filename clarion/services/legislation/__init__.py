"""Makes hearing facts of what integrations publish: one alert with the full state for each hearing."""

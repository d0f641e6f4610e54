"""What staff are told in words: browsers, lengths of time, reasons."""

from datetime import timedelta

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
"""What a browser's own description holds, most telling first: most of them name others as well."""
SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def spoken_browser(agent: str) -> str:
    """A browser as people know it, such as "Firefox on Linux"; it describes itself, so it proves nothing."""
    name = next((said for mark, said in BROWSERS if mark in agent), "a browser")
    system = next((said for mark, said in SYSTEMS if mark in agent), None)
    return f"{name} on {system}" if system else name


def spoken_minutes(length: timedelta) -> str:
    """A length of time in minutes."""
    minutes = round(length.total_seconds() / 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"

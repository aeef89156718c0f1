"""What a browser sent of itself, in words that fit into a list."""

import re

# In the order in which they are looked for: most claim to be others, too.
BROWSERS = {
    "Edge": r"Edg(?:A|iOS)?/(\d+)",
    "Opera": r"OPR/(\d+)",
    "Samsung Internet": r"SamsungBrowser/(\d+)",
    "Firefox": r"(?:Firefox|FxiOS)/(\d+)",
    "Chrome": r"(?:HeadlessChrome|Chrome|CriOS)/(\d+)",
    "Safari": r"Version/(\d++)[\d.]*+ (?:Mobile/\w++ )?Safari/",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "macOS": "Macintosh",
    "ChromeOS": "CrOS",
    "Linux": "Linux",
}
LONGEST = 40


def in_short(user_agent: str) -> str:
    """Such as ``Firefox 140 on Windows``; the beginning of what is no browser that is known."""
    for browser, pattern in BROWSERS.items():
        if found := re.search(pattern, user_agent):
            system = next((name for name, mark in SYSTEMS.items() if mark in user_agent), "")
            return f"{browser} {found[1]}{f' on {system}' if system else ''}"
    return user_agent if len(user_agent) <= LONGEST else f"{user_agent[:LONGEST]}…"

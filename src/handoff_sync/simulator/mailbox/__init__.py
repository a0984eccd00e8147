"""A mail program in the browser, over the folder of a `capture:` address: who got which mail, as they would see it."""

"""A small chat product with a scripted AI: the platform of the demo, and an example of how a real one integrates."""

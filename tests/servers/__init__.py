"""Servers that tests fire at: a rude one of our own, and real ones. Each keeps its own count of requests."""

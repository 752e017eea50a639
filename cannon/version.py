"""The version, read by the build and sent as User-Agent."""

__version__ = "0.1.0"

__all__ = ["__version__"]

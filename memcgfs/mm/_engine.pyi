from .pure import *  # noqa: F403 - the compiled engine is the plain one, name for name

from .pure import *

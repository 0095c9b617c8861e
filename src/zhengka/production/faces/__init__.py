"""Card faces (卡面): what is printed on a card, as vector PDF for the card maker and as SVG for the page."""

from zhengka.production.faces.drawing import Artist, Face
from zhengka.production.faces.fonts import coverage, fonts
from zhengka.production.faces.layout import PARTNER, Layout, LayoutBroken
from zhengka.production.faces.photos import BadPhoto, Photo, ready
from zhengka.production.faces.printing import (
    Preview,
    layout_for,
    preview,
    print_faces,
    proof_sheet,
    sample_photo,
    templates,
)
from zhengka.production.faces.raster import Pictures, Plate, plate, print_pictures

__all__ = [
    "PARTNER",
    "Artist",
    "BadPhoto",
    "Face",
    "Layout",
    "LayoutBroken",
    "Photo",
    "Pictures",
    "Plate",
    "Preview",
    "coverage",
    "fonts",
    "layout_for",
    "plate",
    "preview",
    "print_faces",
    "print_pictures",
    "proof_sheet",
    "ready",
    "sample_photo",
    "templates",
]

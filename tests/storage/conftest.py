from tests.services.conftest import clock, folder, portal, template

__all__ = ["clock", "folder", "portal", "template"]

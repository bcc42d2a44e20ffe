from tests.comet_fixtures import comet_settings, tiny_comet

__all__ = ["comet_settings", "tiny_comet"]

"""Reflex still reads each variable by which the portal tells it to serve what is built."""

from __future__ import annotations

import dataclasses

import pytest
from reflex_base.config import BaseConfig
from reflex_base.environment import environment

from medonline.framework.serving import PREBUILT


@pytest.mark.parametrize("name", sorted(PREBUILT))
def test_reflex_reads_this_variable_under_this_name(name: str) -> None:
    variable = getattr(environment, name.removeprefix("__"), None)

    if variable is not None:
        assert variable.name == name
    else:  # of Reflex's configuration
        assert name.removeprefix("REFLEX_").lower() in {field.name for field in dataclasses.fields(BaseConfig)}

"""What every end-to-end test is given: a project in a folder of its own, whose runners are ended with it."""

import pytest

from project import Project


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "project")
    yield project
    project.end()

from pathlib import Path

from pav.flows.settings_reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_of_settings_is_what_the_command_prints():
    # A default or a bound that changes is then seen by whoever reads the change.
    message = "write it again: pav settings --markdown > docs/settings.md"
    assert PAGE.read_text().strip() == reference().as_markdown().strip(), message

"""The report's tables and claims as artifacts of the Prefect run that wrote it."""

from collections.abc import Sequence

from pav.tasks.report_tables import Table
from pav.tasks.report_words import Claim


def artifact_key(name: str) -> str:
    """Return a name as Prefect wants a key: lower case, digits and dashes."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")


def table_records(table: Table) -> list[dict[str, str]]:
    """Return a table as Prefect shows it: one dict for each row."""
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def claims_markdown(claims: Sequence[Claim]) -> str:
    """Return the claims as a Markdown list, intervals as they came."""
    lines = [f"- **{claim.verdict}** {claim.words}\n  {claim.detail}" for claim in claims]
    return "\n".join(lines) if lines else "No arms were compared."


def publish_artifacts(tables: Sequence[Table], claims: Sequence[Claim]) -> list[str]:
    """Create one artifact for each table and one for the claims; return their keys.

    Call it within a flow or task run; Prefect is imported here, since it takes seconds.
    """
    from prefect.artifacts import create_markdown_artifact, create_table_artifact

    create_markdown_artifact(
        claims_markdown(claims), key="claims", description="What the run shows"
    )
    for table in tables:
        create_table_artifact(
            table_records(table), key=artifact_key(table.name), description=table.caption or None
        )
    return ["claims", *(artifact_key(table.name) for table in tables)]

"""The report's tables and claims as artifacts of the Prefect run that wrote it."""

from collections.abc import Sequence

from pav.tasks.report.arm_names import DASH
from pav.tasks.report.claims import Claim
from pav.tasks.report.tables import Table


def artifact_key(name: str) -> str:
    """Return a name as Prefect wants a key: lower case, digits and dashes."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")


def table_records(table: Table) -> list[dict[str, str]]:
    """Return a table as Prefect shows it: one dict for each row."""
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def claims_markdown(claims: Sequence[Claim]) -> str:
    """Return the comparisons as a Markdown table, intervals as they came."""
    if not claims:
        return "No arms were compared."
    columns = (
        "comparison", "difference, points", "wins / losses", "p, corrected", "over problems",
        "over pipeline seeds",
        "verdict",
    )  # fmt: skip
    rows = [
        (
            claim.label,
            claim.difference,
            claim.counts,
            claim.p_value,
            claim.over_problems.words,
            claim.over_seeds.words if claim.over_seeds else DASH,
            f"**{claim.verdict}**",
        )
        for claim in claims
    ]
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


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

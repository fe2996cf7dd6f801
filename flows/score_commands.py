"""The command `pav score`."""

from typing import Annotated

import typer

from pav.flows.options import put

commands = typer.Typer()


@commands.command("score")
def score(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="Rows with prompt (or question, answer?), steps (or response), finish_reason?.",
        ),
    ],
    verifier: Annotated[
        str, typer.Option("--verifier", help="Its folder; `pav sql` names it: from verifiers.")
    ],
    head: Annotated[str, typer.Option("--head", help="Which head, where it has several.")] = "",
    out: Annotated[str, typer.Option("--out", help="Write the rows here, not to stdout.")] = "",
) -> None:
    """Score every step of the solutions in a file with a trained verifier."""
    from pav.flows.score import score as score_file
    from pav.tasks.store.out_files import check_out, write_rows

    if out:
        check_out(out)
    scored = score_file(file, verifier, head=head)
    if out:
        write_rows(out, scored.lines)
    else:
        put("\n".join(scored.lines))
    # Where the rows go to standard output, programs read them there.
    typer.echo(scored.summary, err=not out)

"""The heap's curves: how many bytes more than at the first look are in use, over the steps."""

from dynreg_tools.bench.curves import COLOURS, LEFT, Axis, Panel
from dynreg_tools.bench.drawing import Drawing

from .run import SLACK, Result


def svg(results: list[Result]) -> str:
    """A panel for each run, with what may pass between its dashed lines."""
    runs = [
        {
            "tls": result.tls,
            "disconnects": result.disconnects,
            "heap": [(point.step, point.heap) for point in result.points],
        }
        for result in results
    ]
    return draw(runs)


def draw(runs: list[dict]) -> str:
    """The picture of the runs' points (step, bytes of heap), which it carries as its data."""
    drawing = Drawing(
        "The heap in use over the steps of the soak test",
        "After gc.collect(), in bytes more than at the first look, "
        + "; ".join(
            f"{run['tls']}: {run['heap'][-1][1] - run['heap'][0][1]:+} at the end" for run in runs
        ),
    )
    drawing.data = runs
    drawing.text(16, 30, "Heap in use, bytes more than at first", bold=True)
    drawing.text(16, 52, "after gc.collect(); a test fails beyond the dashed lines", "muted")
    most = max(abs(heap - run["heap"][0][1]) for run in runs for _, heap in run["heap"])
    limit = max(SLACK, -(-most // SLACK) * SLACK)
    end = max(run["heap"][-1][0] for run in runs)
    steps = Axis([end * part // 4 for part in range(5)])
    top = 92
    for run, colour in zip(runs, COLOURS, strict=False):
        drawing.text(LEFT, top - 11, f"{run['tls']}, {run['disconnects']} lost connections")
        panel = Panel(drawing, top, 96, steps, Axis((-limit, 0, limit)))
        panel.grid(below="steps: publishes and polls" if run is runs[-1] else None, signed=True)
        panel.level(SLACK)
        panel.level(-SLACK)
        first = run["heap"][0][1]
        panel.curve([(step, heap - first) for step, heap in run["heap"]], colour, dashed=False)
        top += 96 + 44
    drawing.height = top + 16
    return drawing.svg()

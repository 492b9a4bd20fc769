"""Medians with their spread, and the table."""

from statistics import median


def spread(values, form="{:,.0f}"):
    """`median (least to greatest)`."""
    if not values:
        return "–"
    ends = f"{form.format(min(values))} to {form.format(max(values))}"
    return f"{form.format(median(values))} ({ends})"


def ratios(ours, theirs):
    """Ours in theirs, pair by pair: the two runs of a pair stood beside each other in time."""
    return [our / their for our, their in zip(ours, theirs, strict=True)]


def table(head, rows):
    """A table in Markdown."""
    lines = [head, [":--"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class Series:
    """The runs of one server under one load."""

    def __init__(self):
        self.rate, self.cpu, self.p50, self.p99, self.faults = [], [], [], [], []

    def add(self, good, seconds, cpu, p50, p99):
        self.rate.append(good / seconds)
        self.cpu.append(cpu / max(1, good) * 1e6)
        self.p50.append(p50 / 1e3)
        self.p99.append(p99 / 1e3)

    def cells(self):
        """Requests per second, µs of CPU per request, median and 99 % latency."""
        return [spread(self.rate), spread(self.cpu, "{:.1f}"), spread(self.p50, "{:.2f}"),
                spread(self.p99, "{:.1f}")]


def ratio_cell(ours, theirs, target=None):
    """A ratio in percent with its spread; none if a run had a fault."""
    faults = ours.faults + theirs.faults
    if faults:
        return f"none: {faults[0]}"
    cell = spread([100 * ratio for ratio in ratios(ours.rate, theirs.rate)], "{:.0f}") + " %"
    if target is None:
        return cell
    met = median(ratios(ours.rate, theirs.rate)) >= target
    return f"{cell}, wanted {100 * target:.0f} %: {'met' if met else 'missed'}"

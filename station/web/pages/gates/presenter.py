"""The live content of the gates' page."""

from station.views.views import View
from station.web.page import PageContent
from station.web.presenters.gates import GateCard, gate_cards


def _cards(view: View) -> dict[str, list[GateCard]]:
    return {"gates": gate_cards(view)}


GATES = PageContent(_cards, lists={"gates": "gate"})

"""The rules of a season in words: how its standing comes about, a sentence each."""

from leaderboard.core.seasons.points import PointsRule
from leaderboard.core.seasons.rules import SeasonRules
from shared.text import joined, ntext, text


def rules_in_words(rules: SeasonRules) -> list[str]:
    """How the standing comes about, a sentence each."""
    sentences: list[str] = [points_in_words(rules.points)]
    if rules.best_races is not None:
        best = rules.best_races
        sentences.append(ntext("Each racer's best race counts.", "Each racer's best {n} races count.", n=best))
    if rules.drop_worst:
        sentences.append(
            ntext(
                "Each racer's worst race is dropped.", "Each racer's worst {n} races are dropped.", n=rules.drop_worst
            )
        )
    sentences.append(
        text("Equal points: more wins, then more second places and so on, then the later best place; then it is a tie.")
    )
    sentences += _more_rules_in_words(rules)
    names = rules.divisions.names
    if names:
        sentences.append(
            text(
                "After each race of a division its top {percent} % move up ({names}).",
                percent=rules.divisions.up_percent,
                names=" → ".join(names),
            )
        )
        if rules.divisions.down_percent:
            down = rules.divisions.down_percent
            sentences.append(text("Its last {percent} % move down again.", percent=down))
    return sentences


def _more_rules_in_words(rules: SeasonRules) -> list[str]:
    sentences: list[str] = [_SHARED[rules.points.shared]]
    if rules.qualify_places:
        sentences.append(
            ntext(
                "The first of the standing qualifies for what follows.",
                "The first {n} of the standing qualify for what follows.",
                n=rules.qualify_places,
            )
        )
    for prize in rules.prizes:
        where = prize.division or text("all divisions") if rules.divisions.names else ""
        of = text("of every race") if prize.per == "race" else text("of the season")
        what = joined([of, where], ", ") if where else of
        sentences.append(
            text(
                "{kind}: for the first {places} {what}; at most one for a racer.",
                kind=prize.kind,
                places=prize.places,
                what=what,
            )
            if prize.once
            else text("{kind}: for the first {places} {what}.", kind=prize.kind, places=prize.places, what=what)
        )
    return sentences


_SHARED = {
    "share": text("Racers with equal scores share the points of the places that they take."),
    "higher": text("Racers with equal scores have the points of the higher place."),
    "earlier": text("Of racers with equal scores the one who set the score earlier is ahead."),
}


def points_in_words(rule: PointsRule) -> str:
    """What a place is worth, in one sentence."""
    if rule.method == "list":
        listed = ", ".join(str(each) for each in rule.listed[:12]) + (", …" if len(rule.listed) > 12 else "")
        main = text("Points by place: {listed}.", listed=listed)
    elif rule.method == "field":
        main = text("A point for each racer behind, and one more; at most {cap}.", cap=rule.cap)
    else:
        main = text("Points by percentile: {top} for the winner, then the share of the field not ahead.", top=rule.top)
    extras = [
        (rule.participation, text("taking part")),
        (rule.pole, text("the best in qualifying")),
        (rule.fastest_lap, text("the fastest lap")),
    ]
    more = [text("+{n} for {what}", n=points, what=what) for points, what in extras if points]
    return joined([main, *more], " ")


def team_rule_in_words(rules: SeasonRules) -> str:
    """How a team's points come about."""
    if rules.teams.method == "sum":
        return ntext(
            "A team has the points of its best member.",
            "A team has the points of its best {n} members together.",
            n=rules.teams.best,
        )
    return ntext(
        "A team has the points of its one best member.",
        "A team has the mean of its best {n} members; one that is missing counts 0.",
        n=rules.teams.best,
    )

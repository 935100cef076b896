"""The pages for everybody: home, races and racers; and what of them is shown elsewhere: embeds, feeds, pictures."""

"""The table of all pages, and of the topics of the event stream. The web app makes its addresses from it (app.py)."""

from shared.text import text
from station.access.roles import Role
from station.web.page import LiveTopic, Page
from station.web.pages.audit.routes import audit_routes
from station.web.pages.backup.routes import backup_routes
from station.web.pages.cars.presenter import CARS
from station.web.pages.cars.routes import cars_routes
from station.web.pages.cars.sheets import car_sheets_routes
from station.web.pages.chart.presenter import CHART
from station.web.pages.checklist.presenter import CHECKLIST
from station.web.pages.checklist.routes import checklist_routes
from station.web.pages.commentator.presenter import COMMENTATOR
from station.web.pages.event.presenter import EVENT
from station.web.pages.event.routes import event_routes
from station.web.pages.gates.presenter import GATES
from station.web.pages.gates.routes import gates_routes
from station.web.pages.head import OFFICIALS_HEAD, PUBLIC_HEAD
from station.web.pages.live.presenter import LIVE
from station.web.pages.operate.presenter import CONTROL
from station.web.pages.overlay.presenter import OVERLAY
from station.web.pages.overlay.routes import overlay_routes
from station.web.pages.people.routes import people_routes
from station.web.pages.racer.routes import racer_routes
from station.web.pages.racers.cards import cards_routes
from station.web.pages.racers.presenter import RACERS
from station.web.pages.racers.routes import racers_routes
from station.web.pages.referee.presenter import REFEREE
from station.web.pages.results.routes import certificate_routes, results_routes
from station.web.pages.run.marks import RUN
from station.web.pages.run.routes import officials_form, run_routes
from station.web.pages.runs.routes import runs_routes
from station.web.pages.screen.presenter import HALL
from station.web.pages.screen.routes import screen_routes
from station.web.pages.screens.presenter import SCREENS
from station.web.pages.screens.routes import screens_routes
from station.web.pages.setup.presenter import SETUP
from station.web.pages.setup.routes import setup_routes
from station.web.pages.sign_in.routes import claim_routes, pair_routes, sign_in_routes
from station.web.pages.sound.presenter import SOUND
from station.web.pages.sound.routes import sound_routes
from station.web.pages.tracks.routes import tracks_routes

# In the order of the officials' tabs.
PAGES: tuple[Page, ...] = (
    Page("live", "/", text("Live"), Role.VIEWER, content=LIVE, also=("sound",)),
    Page(
        "screen",
        "/screen",
        text("Screen"),
        Role.VIEWER,
        content=HALL,
        routes=screen_routes,
        bare=True,
        look="hall",
        also=("sound",),
    ),
    Page("operate", "/operate", text("Race control"), Role.REFEREE, in_tabs=True, content=CONTROL),
    Page("racer", "/r/{code}", text("Racer"), Role.VIEWER, routes=racer_routes),
    Page("referee", "/referee", text("Referee"), Role.REFEREE, in_tabs=True, content=REFEREE),
    Page("runs", "/runs", text("Runs"), Role.REFEREE, in_tabs=True, routes=runs_routes),
    Page("run", "/runs/{run_id}", text("Run"), Role.VIEWER, content=RUN, routes=run_routes),
    Page("run_officials", "/runs/{run_id}", text("Run"), Role.REFEREE, content=RUN, routes=officials_form),
    Page("event", "/event", text("Event"), Role.OPERATOR, in_tabs=True, content=EVENT, routes=event_routes),
    Page("tracks", "/tracks", text("Tracks"), Role.OPERATOR, routes=tracks_routes),
    Page("backup", "/backup", text("Backup"), Role.ADMIN, routes=backup_routes),
    Page("racers", "/racers", text("Racers"), Role.OPERATOR, in_tabs=True, content=RACERS, routes=racers_routes),
    Page("cards", "/racers/cards", text("Racers' cards"), Role.OPERATOR, routes=cards_routes),
    Page("cars", "/cars", text("Cars"), Role.OPERATOR, in_tabs=True, content=CARS, routes=cars_routes),
    Page("car_sheets", "/cars/sheets", text("Car sheets"), Role.OPERATOR, routes=car_sheets_routes),
    Page("checklist", "/checklist", text("Checklists"), Role.REFEREE, content=CHECKLIST, routes=checklist_routes),
    Page("results", "/results/{race_id}", text("Results"), Role.VIEWER, routes=results_routes),
    Page(
        "certificates", "/results/{race_id}/certificates", text("Certificates"), Role.VIEWER, routes=certificate_routes
    ),
    Page(
        "screens",
        "/screens",
        text("Screens"),
        Role.OPERATOR,
        in_tabs=True,
        content=SCREENS,
        routes=screens_routes,
        also=("sound",),
    ),
    Page("gates", "/gates", text("Gates"), Role.REFEREE, in_tabs=True, content=GATES, routes=gates_routes),
    Page("commentator", "/commentator", text("Commentator"), Role.VIEWER, content=COMMENTATOR, also=("sound",)),
    Page("chart", "/chart", text("Lap chart"), Role.VIEWER, content=CHART),
    Page("sound", "/sound", text("Sound"), Role.VIEWER, routes=sound_routes, also=("sound",)),
    Page("overlay", "/overlay", text("Overlay"), Role.VIEWER, content=OVERLAY, routes=overlay_routes, bare=True),
    Page("people", "/people", text("People"), Role.OPERATOR, in_tabs=True, routes=people_routes),
    Page("audit", "/audit", text("Audit"), Role.REFEREE, in_tabs=True, routes=audit_routes),
    Page("setup", "/setup", text("Set-up"), Role.ADMIN, content=SETUP, routes=setup_routes),
    Page("claim", "/claim", text("Claim this station"), Role.VIEWER, routes=claim_routes),
    Page("sign_in", "/sign-in", text("Sign in"), Role.VIEWER, routes=sign_in_routes),
    Page("pair", "/pair", text("Pair this device"), Role.VIEWER, routes=pair_routes),
)
TOPICS: dict[str, LiveTopic] = {
    topic.name: topic
    for topic in (
        PUBLIC_HEAD,
        OFFICIALS_HEAD,
        LiveTopic("sound", Role.VIEWER, SOUND),
        *(LiveTopic(page.name, page.role, page.content) for page in PAGES if page.content is not None),
    )
}

"""Which role each command needs: one table, used by the web. A test fails for a command that is not in it."""

from station.access.roles import Role
from station.core import commands as c
from station.core.moment import Command

ROLE_OF_COMMAND: dict[type[Command], Role] = {
    c.OpenRun: Role.OPERATOR,
    c.ArmRun: Role.OPERATOR,
    c.StartRun: Role.OPERATOR,
    c.FinishRun: Role.OPERATOR,
    c.AbandonRun: Role.OPERATOR,
    c.ResumeRun: Role.OPERATOR,
    c.EnterModel: Role.OPERATOR,
    c.OrderCar: Role.OPERATOR,
    c.ReleaseStop: Role.OPERATOR,
    c.SetMode: Role.OPERATOR,
    c.SetClock: Role.OPERATOR,
    c.TryGate: Role.OPERATOR,
    c.AssignTransponder: Role.OPERATOR,
    c.CreateEvent: Role.OPERATOR,
    c.ChangeEvent: Role.OPERATOR,
    c.CreateRace: Role.OPERATOR,
    c.ChangeRace: Role.OPERATOR,
    c.SwitchRace: Role.OPERATOR,
    c.CloseRace: Role.OPERATOR,
    c.ReopenRace: Role.OPERATOR,
    c.AddRacer: Role.OPERATOR,
    c.ChangeRacer: Role.OPERATOR,
    c.RemoveRacer: Role.OPERATOR,
    c.MergeRacers: Role.OPERATOR,
    c.CheckIn: Role.OPERATOR,
    c.ImportRacers: Role.OPERATOR,
    c.AddCar: Role.OPERATOR,
    c.ChangeCar: Role.OPERATOR,
    c.RemoveCar: Role.OPERATOR,
    c.CallNext: Role.OPERATOR,
    c.QueueRacer: Role.OPERATOR,
    c.MoveInQueue: Role.OPERATOR,
    c.MarkNoShow: Role.OPERATOR,
    c.LeaveQueue: Role.OPERATOR,
    c.Rerun: Role.OPERATOR,
    c.PauseRace: Role.OPERATOR,
    c.ContinueRace: Role.OPERATOR,
    c.StageRun: Role.OPERATOR,
    c.Relaunch: Role.OPERATOR,
    c.SubmitRun: Role.OPERATOR,
    c.DiscardRun: Role.OPERATOR,
    c.StopAll: Role.REFEREE,
    c.OffTrack: Role.REFEREE,
    c.Collision: Role.REFEREE,
    c.CarReset: Role.REFEREE,
    c.TakeBack: Role.REFEREE,
    c.VoidLap: Role.REFEREE,
    c.RestoreLap: Role.REFEREE,
    c.AddPenalty: Role.REFEREE,
    c.AddCrossing: Role.REFEREE,
    c.DropCrossing: Role.REFEREE,
    c.AssignCrossing: Role.REFEREE,
    c.DismissProposal: Role.REFEREE,
    c.ReassignRun: Role.REFEREE,
    c.HandTime: Role.REFEREE,
    c.MarkDnf: Role.REFEREE,
    c.UndoLast: Role.REFEREE,
    c.Disqualify: Role.REFEREE,
    c.Reinstate: Role.REFEREE,
    c.ReplaceCrossing: Role.REFEREE,
    c.HandCrossing: Role.REFEREE,
    c.RestoreProposal: Role.REFEREE,
    c.Official: Role.REFEREE,
    c.ReopenResults: Role.REFEREE,
}


def role_for(command: Command) -> Role:
    """The role that this command needs; to stop a car, a referee's is enough. One missing here is an admin's."""
    if isinstance(command, c.OrderCar) and command.action in ("stop", "estop"):
        return Role.REFEREE
    return ROLE_OF_COMMAND.get(type(command), Role.ADMIN)

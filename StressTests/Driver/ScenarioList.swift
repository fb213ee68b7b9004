// Every scenario, in the order in which script/stress runs them.

let allScenarios: [any Scenario.Type] = [
    DeliberateRace.self,
    LostUpdate.self,
    MutexScenario.self,
    ParkingLotScenario.self,
    ReaderWriterLockScenario.self,
    EventOnceScenario.self,
    SequenceLockScenario.self,
    StopTheWorldScenario.self,
    ThreadChurnScenario.self,
    HeldThreadScenario.self,
    CriticalSectionScenario.self,
    InterpreterLockScenario.self,
    GracePeriodScenario.self,
    ObjectGraphScenario.self,
]

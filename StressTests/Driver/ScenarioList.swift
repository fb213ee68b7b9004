// The registry: every scenario, in the order in which script/stress runs them.

let allScenarios: [any Scenario.Type] = [
    DeliberateRace.self,
    DeliberateLeak.self,
    LostUpdate.self,
    DeliberateGrowth.self,
    MutexScenario.self,
    RecursiveMutexScenario.self,
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
    ForkScenario.self,
    ObjectGraphScenario.self,
    InterpreterChurnScenario.self,
    MixedScenario.self,
]

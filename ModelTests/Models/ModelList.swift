#if ModelCheck
// All models, floor by floor.

var allModels: [ProtocolModel] {
    [
        eventModels,
        criticalSectionModels, interpreterLockModels, dueWorkModels, serviceModels, lifeCycleModels,
        stopModels, stopTurnModels, heldThreadModels, threadLifeModels, threadRecordModels,
    ].flatMap { $0 }
}
#endif

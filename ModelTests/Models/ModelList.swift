#if ModelCheck
// All models, floor by floor.

var allModels: [ProtocolModel] {
    [
        eventModels,
        stopModels, stopTurnModels, heldThreadModels, threadLifeModels, threadRecordModels,
    ].flatMap { $0 }
}
#endif

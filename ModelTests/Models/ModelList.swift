#if ModelCheck
// All models, floor by floor.

var allModels: [ProtocolModel] {
    [
        eventModels,
        stopModels,
    ].flatMap { $0 }
}
#endif

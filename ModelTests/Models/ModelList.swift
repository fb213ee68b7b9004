#if ModelCheck
// All models, floor by floor.

var allModels: [ProtocolModel] {
    [
        eventModels,
    ].flatMap { $0 }
}
#endif

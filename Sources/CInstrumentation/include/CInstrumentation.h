// Links the compiler's callbacks for memory accesses to the model checker. An executable that depends on this target is
// compiled with the frontend option `-sanitize=thread` and linked without ThreadSanitizer's runtime: the callbacks
// are defined here. Nothing of it is called by name.
#ifndef CINSTRUMENTATION_H
#define CINSTRUMENTATION_H
#endif

// What a thread of free-threaded CPython pays to detach from its interpreter and attach again:
// the peer of Stillpoint's own detach and attach.
//
// The pair is PyEval_SaveThread and PyEval_RestoreThread, which is what Py_BEGIN_ALLOW_THREADS
// and Py_END_ALLOW_THREADS expand to. Without the GIL the pair is three locked instructions and no
// lock, as long as nobody stops the world: an exchange of the thread's state to detach; a
// compare-and-swap of it to attach, and an exchange that puts the thread back on line for QSBR
// (Python/pystate.c, Python/qsbr.c). Nobody stops the world here: there is one thread, so the
// figure is the uncontended path and says nothing about contention.
//
// Prints one line of JSON. The figure is the median of the batches, in nanoseconds a pair; all
// batches are printed in the order they ran, so that a disturbed run can be seen for one. The loop
// itself, a counter and a branch, is in the figure, and so are the two calls into the interpreter's
// library. Neither linking with optimisation across the interpreter's files nor running the same
// loop in an extension module inside the interpreter's own binary changed the figure.
//
// Build and run: Benchmarks/Peers/cpython-attach

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifndef Py_GIL_DISABLED
#error "this peer is the free-threaded build: configure CPython with --disable-gil"
#endif

// Batches of a fraction of a millisecond: other programs rarely interrupt one.
enum { batchCount = 151, pairsPerBatch = 5000 };

static double nanosecondsNow(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double nanosecondsPerPair(void) {
    double began = nanosecondsNow();
    for (int pair = 0; pair < pairsPerBatch; pair++) {
        PyThreadState *state = PyEval_SaveThread();
        PyEval_RestoreThread(state);
    }
    return (nanosecondsNow() - began) / pairsPerBatch;
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void startInterpreter(void) {
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
}

// A free-threaded build can still run with its GIL on: PYTHON_GIL=1 asks for that, and importing
// an extension that does not support free threading forces it. The figure would be another thing's.
static void requireGILOff(void) {
    PyObject *isEnabled = PySys_GetObject("_is_gil_enabled");  // borrowed
    PyObject *answer = isEnabled ? PyObject_CallNoArgs(isEnabled) : NULL;
    if (answer != Py_False) {
        fprintf(stderr, "cpython_attach: the GIL is on, or this CPython does not say\n");
        exit(1);
    }
    Py_DECREF(answer);
}

int main(void) {
    startInterpreter();
    requireGILOff();

    double batches[batchCount], sorted[batchCount];
    (void)nanosecondsPerPair();  // warms caches and predictors, and is not counted
    for (int batch = 0; batch < batchCount; batch++) {
        sorted[batch] = batches[batch] = nanosecondsPerPair();
    }
    qsort(sorted, batchCount, sizeof sorted[0], ascending);

    printf("{\"peer\":\"CPython %st\",\"what\":\"detach+attach\",", PY_VERSION);
    printf("\"nanoseconds_per_pair\":%.2f,\"batches\":[", sorted[batchCount / 2]);
    for (int batch = 0; batch < batchCount; batch++) {
        printf("%s%.2f", batch ? "," : "", batches[batch]);
    }
    printf("]}\n");
    return Py_FinalizeEx() < 0;
}

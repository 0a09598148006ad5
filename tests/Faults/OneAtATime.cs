using Xunit.Sdk;
using Xunit.v3;

// Each test has the machine to itself: several servers and sometimes two Redis are enough for it.
[assembly: Parallelization(Mode = ParallelMode.None)]

// Each test has the machine to itself: several servers and sometimes two Redis are enough for it.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

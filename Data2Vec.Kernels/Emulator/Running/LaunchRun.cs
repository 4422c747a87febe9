using System.Runtime.ExceptionServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels.Emulator;

/// <summary>One launch: a kernel over a grid of blocks, which the processors of the host share out.</summary>
internal sealed unsafe class LaunchRun(
    EmulatedKernel kernel, GlobalMemory memory, Dim3 grid, Dim3 block, int dynamicShared, byte* parameters,
        bool checks, long budget)
{
    public EmulatedKernel Kernel => kernel;

    public GlobalMemory Memory => memory;

    public Dim3 Grid => grid;

    public Dim3 BlockSize => block;

    public int Threads => block.X * block.Y * block.Z;

    public int DynamicShared => dynamicShared;

    public int SharedBytes => kernel.SharedBytes + dynamicShared;

    public byte* Parameters => parameters;

    /// <summary>Whether reads of unwritten memory and races are looked for; bounds and alignment always are.</summary>
    public bool Checks => checks;

    /// <summary>Instructions of warps that one block may run.</summary>
    public long Budget => budget;

    /// <summary>Position of a thread by its number.</summary>
    public Dim3 ThreadAt(int number) => new(number % block.X, number / block.X % block.Y, number / block.X / block.Y);

    /// <summary>Runs all blocks.</summary>
    /// <exception cref="EmulatorException">The finding of the first block that has one, whatever their order
    /// was.</exception>
    public Counters Run()
    {
        var blocks = (long)grid.X * grid.Y * grid.Z;
        var total = new Counters();
        var workers = (int)Math.Min(blocks, Environment.ProcessorCount);
        long next = -1, failedAt = long.MaxValue;
        ExceptionDispatchInfo? failure = null;
        void Work()
        {
            var run = new BlockRun(this);
            try
            {
                while (true)
                {
                    var number = Interlocked.Increment(ref next);
                    if (number >= blocks || number > Volatile.Read(ref failedAt)) break;
                    try
                    {
                        run.Run(number);
                    }
                    catch (Exception e)
                    {
                        lock (total)
                        {
                            if (number < failedAt) (failedAt, failure) = (number, ExceptionDispatchInfo.Capture(e));
                        }
                        break;
                    }
                }
            }
            finally
            {
                lock (total) total.Add(run.Counters);
                run.Dispose();
            }
        }
        if (workers == 1) Work();
        else Parallel.For(0, workers, _ => Work());
        failure?.Throw();
        return total;
    }
}

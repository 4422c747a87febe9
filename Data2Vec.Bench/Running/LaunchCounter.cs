using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Emulator;

namespace Data2Vec.Bench.Running;

/// <summary>
/// Runs cases on the emulator and tells of every launch what it did, beside what the case cannot avoid: a kernel that moves
/// more bytes than predicted, out of order, or through conflicting banks, shows without a GPU.
/// </summary>
internal sealed class LaunchCounter(Device device)
{
    private readonly EmulatedDriver driver = (device.Backend as CudaBackend)?.Driver as EmulatedDriver
        ?? throw new UsageException(
            $"counters come from the emulator: use --device emulator; {device.Name} does not count what its kernels do.");

    /// <summary>A row for every launch of forward, and of forward and backward; the last of a pass is their sum.</summary>
    public IReadOnlyList<Row> Count(OpCase c, DType type)
    {
        var rows = new List<Row>();
        try
        {
            using var run = new CaseRun(c, device, type);
            rows.AddRange(Count(c, "forward", run.LaunchForward, run.Bytes, c.Flops));
            if (run.HasBackward)
            {
                rows.AddRange(Count(c, "forward+backward", run.LaunchForwardAndBackward, run.Bytes + run.BackwardBytes,
                    c.Flops * (1 + c.BackwardFlops)));
            }
        }
        catch (NotSupportedException e)
        {
            rows.Add(new Row(c.Op, c.Name, Status.Skipped) { Reason = e.Message });
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            rows.Add(new Row(c.Op, c.Name, Status.Failed) { Reason = $"{e.GetType().Name}: {e.Message}" });
        }
        return rows;
    }

    private IEnumerable<Row> Count(OpCase c, string pass, Action call, long bytes, double flops)
    {
        var (launches, sum) = (new List<LaunchCounts>(), new Counters());
        driver.Launched = (kernel, counters) =>
        {
            launches.Add(LaunchCounts.Of(kernel.Name, counters));
            sum.Add(counters);
        };
        try
        {
            call();
            device.Backend.Synchronize();
        }
        finally
        {
            driver.Launched = null;
        }
        Row Of(LaunchCounts counts) => new(c.Op, c.Name, Status.Passed)
        {
            Pass = pass, Launch = counts, Bytes = bytes, Flops = flops,
        };
        foreach (var launch in launches) yield return Of(launch);
        yield return Of(LaunchCounts.Of($"all {launches.Count} launches", sum));
    }
}

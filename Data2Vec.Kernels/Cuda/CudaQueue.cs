namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// The one way of work to a device: sent as it comes, or noted down for a whole step. A step that is seen for the second
/// time becomes a CUDA graph, and is launched as that from then on; what it uploads goes ahead of it in one piece.
/// </summary>
internal sealed class CudaQueue(ICudaDriver driver) : IDisposable
{
    private const int MostGraphs = 8, MostSeen = 64;

    private readonly CudaStaging staging = new(driver);
    private readonly WorkList list = new();
    private readonly Queue<int> seen = new(MostSeen);
    private readonly List<StepGraph> graphs = [];
    private bool inStep;

    /// <summary>What became of the steps so far.</summary>
    public ReplayCounts Counts { get; private set; }

    /// <summary>True while work is noted down and not sent.</summary>
    public bool IsRecording { get; private set; }

    /// <summary>False: steps are sent as they come, as if they were no steps.</summary>
    public bool Replays { get; set; } = true;

    /// <summary>Queues a kernel with one parameter.</summary>
    public unsafe void Launch(nint function, Dim3 grid, Dim3 block, int sharedBytes, ReadOnlySpan<byte> parameter)
    {
        if (IsRecording)
        {
            list.Launch(function, grid, block, sharedBytes, parameter);
            return;
        }
        fixed (byte* bytes = parameter) driver.Launch(function, grid, block, sharedBytes, [(nint)bytes]);
    }

    /// <summary>Queues a copy to the device; the source may be reused on return.</summary>
    public void Upload(ReadOnlySpan<byte> source, ulong target)
    {
        if (IsRecording) list.Upload(source, target);
        else staging.Upload(source, target);
    }

    /// <summary>Copies to the host after everything queued; waits.</summary>
    public void Download(ulong source, Span<byte> target)
    {
        SendNow();
        staging.Download(source, target);
    }

    /// <summary>Queues the writing of zeros.</summary>
    public void Clear(ulong target, long bytes)
    {
        if (IsRecording) list.Clear(target, bytes);
        else driver.Fill(target, 0, bytes);
    }

    /// <summary>Waits for everything queued.</summary>
    public void Synchronize()
    {
        SendNow();
        driver.Synchronize();
    }

    /// <summary>Notes work down from here on.</summary>
    public void BeginStep()
    {
        if (inStep) throw new InvalidOperationException("CudaQueue: a step has begun already.");
        inStep = true;
        IsRecording = Replays;
        list.Clear();
    }

    /// <summary>Sends what was noted down, as a graph where it is known.</summary>
    public void EndStep()
    {
        if (!inStep) throw new InvalidOperationException("CudaQueue: no step has begun.");
        inStep = false;
        if (!IsRecording)
        {
            // Sent already.
            if (Replays) Counts = Counts with { Sent = Counts.Sent + 1 };
            return;
        }
        IsRecording = false;
        var digest = list.Digest();
        if (graphs.Find(g => g.Digest == digest && g.Work.IsSame(list)) is { } known)
        {
            // The one that was used longest ago is the first to go.
            graphs.Remove(known);
            graphs.Add(known);
            known.Launch(driver, staging, list.Payload);
            Counts = Counts with { Replayed = Counts.Replayed + 1 };
        }
        else if (seen.Contains(digest) && StepGraph.TryMake(driver, list, digest) is { } made)
        {
            if (graphs.Count == MostGraphs)
            {
                // A graph that still runs is given back by the driver when it has run.
                graphs[0].Release(driver);
                graphs.RemoveAt(0);
            }
            graphs.Add(made);
            made.Launch(driver, staging, list.Payload);
            Counts = Counts with { Captured = Counts.Captured + 1 };
        }
        else
        {
            if (seen.Count == MostSeen) seen.Dequeue();
            seen.Enqueue(digest);
            list.Send(driver, staging);
            Counts = Counts with { Sent = Counts.Sent + 1 };
        }
    }

    public void Dispose()
    {
        foreach (var graph in graphs) graph.Release(driver);
        staging.Dispose();
    }

    /// <summary>Sends what is noted down; the rest of the step comes after it as it is.</summary>
    public void SendNow()
    {
        if (!IsRecording) return;
        IsRecording = false;
        list.Send(driver, staging);
    }
}

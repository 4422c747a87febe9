namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// A step as a CUDA graph. What the step uploads changes from one time to the next: it goes in one piece into memory that
/// the graph owns, from where the graph copies it to its places.
/// </summary>
internal sealed class StepGraph
{
    private readonly nint graph;
    private readonly ulong payload;

    private StepGraph(WorkList work, int digest, nint graph, ulong payload)
    {
        (Work, Digest) = (work, digest);
        (this.graph, this.payload) = (graph, payload);
    }

    /// <summary>What it does.</summary>
    public WorkList Work { get; }

    /// <summary>Of the work.</summary>
    public int Digest { get; }

    /// <summary>Captures work; null when the device has no memory for what is uploaded.</summary>
    /// <param name="driver">The device.</param>
    /// <param name="list">The work; copied.</param>
    /// <param name="digest">Of the work.</param>
    public static StepGraph? TryMake(ICudaDriver driver, WorkList list, int digest)
    {
        var payload = list.PayloadBytes == 0 ? 0 : driver.Allocate(list.PayloadBytes);
        if (payload == 0 && list.PayloadBytes > 0) return null;
        driver.BeginCapture();
        nint graph;
        try
        {
            list.Send(driver, payload);
        }
        finally
        {
            graph = driver.EndCapture();
        }
        return new StepGraph(list.Copy(), digest, graph, payload);
    }

    /// <summary>Queues the step.</summary>
    public void Launch(ICudaDriver driver, CudaStaging staging, ReadOnlySpan<byte> uploads)
    {
        staging.Upload(uploads, payload);
        driver.LaunchGraph(graph);
    }

    /// <summary>Gives graph and memory back, after what is queued.</summary>
    public void Release(ICudaDriver driver)
    {
        driver.DestroyGraph(graph);
        if (payload != 0) driver.Free(payload);
    }
}

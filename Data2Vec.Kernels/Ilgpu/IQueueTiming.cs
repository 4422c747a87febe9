namespace Data2Vec.Kernels.Ilgpu;

/// <summary>What a benchmark asks of a device with a queue: times that the device itself took, and what bounds them.</summary>
internal interface IQueueTiming
{
    /// <summary>True when a processor of the host plays the device: times then say nothing about a GPU.</summary>
    bool RunsOnHost { get; }

    /// <summary>Bytes of the last cache in front of the device's memory; 0 when there is none to be emptied.</summary>
    long CacheBytes { get; }

    /// <summary>A new set of marks.</summary>
    QueueMarks CreateMarks();

    /// <summary>Queues a copy of a whole buffer to another that is as large.</summary>
    void Copy(DeviceBuffer source, DeviceBuffer target);

    /// <summary>Queues the writing of zeros over a whole buffer.</summary>
    void Clear(DeviceBuffer buffer);
}

/// <summary>Numbered marks in a queue, each of which notes when the device passes it.</summary>
internal abstract class QueueMarks : IDisposable
{
    /// <summary>Queues the mark of this number again.</summary>
    public abstract void Set(int number);

    /// <summary>Time between two marks as they were last set; waits until both were passed.</summary>
    public abstract double Seconds(int from, int to);

    /// <summary>Gives the marks back.</summary>
    public abstract void Dispose();
}

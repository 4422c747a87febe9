namespace Data2Vec.Kernels;

/// <summary>
/// A backend that takes the work of a whole step together: a step whose work was seen before goes to the device as one
/// launch of a graph, so that the device does not wait for the host between kernels. Results do not depend on it.
/// </summary>
public interface IReplayingBackend : IBackend
{
    /// <summary>What became of the steps so far.</summary>
    ReplayCounts Replays { get; }

    /// <summary>
    /// From here on work is noted down and not sent, until <see cref="EndStep"/>, or until somebody waits for the device
    /// (<see cref="IBackend.Synchronize"/>, <see cref="IBackend.Download"/>): then the rest of the step is sent as it comes.
    /// </summary>
    /// <exception cref="InvalidOperationException">A step has begun already.</exception>
    void BeginStep();

    /// <summary>Sends what was noted down.</summary>
    /// <exception cref="InvalidOperationException">No step has begun.</exception>
    void EndStep();
}

/// <summary>Steps by how they were sent.</summary>
/// <param name="Sent">Piece by piece: seen for the first time, or waited for in between.</param>
/// <param name="Captured">Seen for the second time and made into a graph, which was launched.</param>
/// <param name="Replayed">By a graph that was there.</param>
public readonly record struct ReplayCounts(long Sent, long Captured, long Replayed);

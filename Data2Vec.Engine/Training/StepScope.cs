using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>
/// From its making to its end the device takes work as one step: a backend that can replays steps that it knows, at once.
/// Waiting inside is allowed and makes that step an ordinary one.
/// </summary>
public readonly ref struct StepScope
{
    private readonly IReplayingBackend? backend;

    /// <param name="device">Where the step runs.</param>
    public StepScope(Device device)
    {
        backend = device.Backend as IReplayingBackend;
        backend?.BeginStep();
    }

    /// <summary>Sends the step.</summary>
    public void Dispose() => backend?.EndStep();
}

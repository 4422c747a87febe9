namespace Data2Vec.Engine.Serialization;

/// <summary>A checkpoint cannot be written or is damaged; the message is one sentence that names the file.</summary>
public sealed class CheckpointException : IOException
{
    /// <summary>A failure with this sentence.</summary>
    public CheckpointException(string message)
        : base(message)
    {
    }

    /// <summary>A failure with this sentence and what led to it.</summary>
    public CheckpointException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>The sentence for a failed save into <paramref name="folder"/>.</summary>
    internal static CheckpointException CannotSave(string name, string folder, Exception inner) => new(
        $"Checkpoint {name} was not saved in {folder}, because {DiskFailure.Reason(inner)}; earlier checkpoints are "
            + "untouched.", inner);
}

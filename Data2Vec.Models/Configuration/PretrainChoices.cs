namespace Data2Vec.Models.Configuration;

/// <summary>Shape of the learning rate over a run.</summary>
public enum ScheduleKind
{
    /// <summary>Warm-up, hold, exponential decay.</summary>
    TriStage,
    /// <summary>Warm-up, half a cosine.</summary>
    Cosine,
    /// <summary>Warm-up, polynomial decay.</summary>
    Polynomial,
}

/// <summary>Which form of Adam trains.</summary>
public enum OptimizerKind
{
    /// <summary>Decoupled weight decay, PyTorch's formula.</summary>
    Adamw,
    /// <summary>fairseq's formula: eps is added to the uncorrected root.</summary>
    FairseqAdam,
}

/// <summary>What happens when loss or gradient is NaN or infinite.</summary>
public enum NonFinitePolicy
{
    /// <summary>The run stops, naming step, tensor and batch; the last checkpoint stays.</summary>
    Stop,
    /// <summary>The update is skipped and reported; the run goes on.</summary>
    Skip,
}
